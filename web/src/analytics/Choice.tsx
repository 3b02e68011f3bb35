// A choice of a few, of which one holds: the range of time, or what the figures are broken down by.

interface ChoiceProps<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  chosen: T;
  onChoose(value: T): void;
}

export function Choice<T extends string>({ label, options, chosen, onChoose }: ChoiceProps<T>) {
  return (
    <div class="choice">
      <span aria-hidden="true">{label}</span>
      <div role="group" aria-label={label}>
        {options.map(([value, name]) => (
          <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}
