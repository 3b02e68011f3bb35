// What dialogs and drawers have in common: a native modal `<dialog>` that exists only while it is
// open. The browser keeps the focus inside and gives it back afterwards.

import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Modal {
  ref: RefObject<HTMLDialogElement | null>;
  onClick(event: MouseEvent): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** Chromium gives the focus back while the page is still inert; a box that has got it so takes keys and no text. */
function wakeBox(): void {
  const box = document.activeElement;
  if (!(box instanceof HTMLTextAreaElement || box instanceof HTMLInputElement)) return;
  box.blur();
  box.focus({ preventScroll: true });
}

/** The properties of a `<dialog>` whose only child fills it. `onClose`: Esc, or a click beside it;
 *  whoever draws the dialog then stops drawing it. */
export function useModal(onClose: () => void): Modal {
  const ref = useRef<HTMLDialogElement>(null);
  const latest = useRef(onClose);
  latest.current = onClose;
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    const onNativeClose = () => latest.current();
    dialog.addEventListener('close', onNativeClose);
    dialog.showModal();
    return () => {
      dialog.removeEventListener('close', onNativeClose);
      dialog.close(); // While it is still in the page: this is what gives the focus back.
      setTimeout(wakeBox);
    };
  }, []);
  return {
    ref,
    onClick: (event) => {
      if (event.target === event.currentTarget) ref.current?.close();
    },
    // Esc closes the dialog and does nothing else; the page behind it would stop the answer.
    onKeyDown: (event) => {
      if (event.key === 'Escape') event.stopPropagation();
    },
  };
}
