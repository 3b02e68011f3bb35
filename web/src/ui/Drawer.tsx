// A panel that comes in from a side of a narrow screen, over the page. Drawn only while it is open.

import type { ComponentChildren } from 'preact';
import { strings } from '../strings';
import { Icon } from './icons';
import { useModal } from './modal';

interface DrawerProps {
  side: 'left' | 'right';
  label: string;
  onClose(): void;
  children: ComponentChildren;
}

export function Drawer({ side, label, onClose, children }: DrawerProps) {
  const modal = useModal(onClose);
  return (
    <dialog {...modal} class="drawer" data-side={side} aria-label={label}>
      <div class="sheet">
        <button type="button" class="quiet close" aria-label={strings.close} onClick={onClose}>
          <Icon name="close" />
        </button>
        {children}
      </div>
    </dialog>
  );
}
