// The icons: strokes on a ground of 20 by 20, in the colour of the text around them. They say
// nothing to screen readers: the button around one has a name.

const SHAPES = {
  menu: 'M3 5h14M3 10h14M3 15h14',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  search: 'M8.5 3.5a5 5 0 1 0 0 10a5 5 0 1 0 0-10M12.5 12.5L17 17',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  trash: 'M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11',
  download: 'M10 3v9M6 9l4 4l4-4M4 17h12',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  inspector: 'M3 4h14v12H3zM12 4v12',
  chart: 'M3 17h14M5 14v-4M10 14V5M15 14V8',
  pause: 'M7 5v10M13 5v10',
  play: 'M6 4l10 6l-10 6z',
};

type IconName = keyof typeof SHAPES;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
