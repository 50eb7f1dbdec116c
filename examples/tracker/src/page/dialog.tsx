import { useLayoutEffect, useRef, type ReactElement, type ReactNode } from 'react';

export interface DialogProps {
  readonly className: string;
  /** The id of its heading, or its name. */
  readonly labelledBy?: string;
  readonly label?: string;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** Above everything and alone with the keyboard; Escape and a click beside it close it; the focus goes back. */
export function Dialog({ className, labelledBy, label, close, children }: DialogProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before it is taken out of the page: only then does closing give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-labelledby={labelledBy}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onPointerDown={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      {children}
    </dialog>
  );
}
