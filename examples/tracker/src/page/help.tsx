import type { ReactElement } from 'react';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['j ↓', 'Next issue'],
  ['k ↑', 'Previous issue'],
  ['Enter', 'Open the issue'],
  ['Esc', 'Close it, or leave a field'],
  ['c', 'New issue'],
  ['s', 'Change its status'],
  ['p', 'Change its priority'],
  ['a', 'Change its assignee'],
  ['l', 'Change its labels'],
  ['⌘K Ctrl-K', 'Commands'],
  ['/', 'Search'],
  ['d', 'Open or close the dock'],
  ['t', 'Light or dark'],
  ['?', 'This help'],
];

export function Help({ close }: { close: () => void }): ReactElement {
  return (
    <Dialog className="help" labelledBy="help-title" close={close}>
      <header>
        <h2 id="help-title">Keyboard</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={close}>
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
    </Dialog>
  );
}
