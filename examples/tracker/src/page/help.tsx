import { useEffect, useRef, type ReactElement } from 'react';
import { Icon } from './icons.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['j ↓', 'Next issue'],
  ['k ↑', 'Previous issue'],
  ['Enter', 'Open the issue'],
  ['Esc', 'Close it, or leave a field'],
  ['s', 'Change its status'],
  ['p', 'Change its priority'],
  ['a', 'Change its assignee'],
  ['/', 'Search'],
  ['d', 'Open or close the dock'],
  ['t', 'Light or dark'],
  ['?', 'This help'],
];

export function Help({ close }: { close: () => void }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="help"
      aria-labelledby="help-title"
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <header>
        <h2 id="help-title">Keyboard</h2>
        <button
          type="button"
          className="icon-button"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
