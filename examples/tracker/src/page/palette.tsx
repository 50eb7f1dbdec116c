import { useEffect, useId, useRef, useState, type ReactElement } from 'react';
import type { Command } from './commands.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';

export interface PaletteProps {
  readonly commands: readonly Command[];
  readonly close: () => void;
}

/** All that can be done, found by typing: arrows choose, Enter does it, Escape leaves. */
export function Palette({ commands, close }: PaletteProps): ReactElement {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const words = typed.toLowerCase().split(/\s+/);
  const found = commands.filter(({ group, text }) => {
    const all = `${group} ${text}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, typed]);

  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    close();
    command.run();
  };
  const pressed = (event: React.KeyboardEvent): void => {
    // While letters are being composed, Enter and arrows are the composer's.
    if (event.nativeEvent.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setAt((chosen + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog className="palette" label="Commands" close={close}>
      <label className="palette-field">
        <Icon name="search" />
        <span className="hidden">Command</span>
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={id}
          aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
          placeholder="Type a command …"
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value);
            setAt(0);
          }}
          onKeyDown={pressed}
        />
      </label>
      <ul id={id} role="listbox" aria-label="Commands" ref={list}>
        {found.map((command, index) => (
          <li
            key={`${command.group} ${command.text}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            {command.icon}
            <span className="ellipsis">{command.text}</span>
            <span className="count">{command.group}</span>
          </li>
        ))}
      </ul>
      <p className="palette-none" role="status">
        {found.length === 0 ? 'Nothing is called that.' : ''}
      </p>
    </Dialog>
  );
}
