import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
} from 'react';
import { Icon } from './icons.js';

export interface MenuItem<Value> {
  readonly value: Value;
  readonly text: string;
  readonly icon?: ReactNode;
}

export interface MenuProps<Value> {
  /** What it chooses, for those who hear the page. */
  readonly title: string;
  readonly items: readonly MenuItem<Value>[];
  readonly isChosen: (value: Value) => boolean;
  /** Any number can be chosen: it stays open. */
  readonly several?: boolean;
  /** Next to which it opens. */
  readonly anchor: Element;
  readonly choose: (value: Value) => void;
  readonly close: () => void;
}

const GAP_PX = 4;

/** A list to choose from, above everything: arrows, letters, digits, Enter, Escape; the focus goes back where it was. */
export function Menu<Value>(props: MenuProps<Value>): ReactElement {
  const { title, items, isChosen, several = false, anchor, choose, close } = props;
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  const id = useId();

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const at = anchor.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = element;
    const below = at.bottom + GAP_PX + offsetHeight <= window.innerHeight;
    setPlace({
      left: Math.max(GAP_PX, Math.min(at.left, window.innerWidth - offsetWidth - GAP_PX)),
      top: below ? at.bottom + GAP_PX : Math.max(GAP_PX, at.top - GAP_PX - offsetHeight),
    });
    const before = document.activeElement;
    const first =
      element.querySelector<HTMLElement>('[aria-checked="true"]') ?? element.querySelector('button');
    first?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [anchor]);

  useEffect(() => {
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !list.current?.contains(event.target)) close();
    };
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [close]);

  const take = (value: Value): void => {
    if (!several) close();
    choose(value);
  };

  const pressed = (event: React.KeyboardEvent): void => {
    event.stopPropagation();
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const digit = Number.parseInt(event.key, 10);
    const item = items[digit - 1];
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (event.key === 'ArrowDown' || event.key === 'j') buttons[(at + 1) % buttons.length]?.focus();
    else if (event.key === 'ArrowUp' || event.key === 'k') buttons.at(at - 1)?.focus();
    else if (event.key === 'Home') buttons[0]?.focus();
    else if (event.key === 'End') buttons.at(-1)?.focus();
    else if (item !== undefined && items.length < 10) take(item.value);
    else return;
    event.preventDefault();
  };

  return (
    <div className="menu" role="menu" aria-label={title} ref={list} style={place} onKeyDown={pressed}>
      {items.map((item, index) => (
        <button
          key={`${id}-${index}`}
          type="button"
          role={several ? 'menuitemcheckbox' : 'menuitemradio'}
          aria-checked={isChosen(item.value)}
          tabIndex={-1}
          onClick={() => take(item.value)}
        >
          {item.icon}
          <span className="menu-text">{item.text}</span>
          {several && isChosen(item.value) && <Icon name="check" />}
          {items.length < 10 && <kbd aria-hidden>{index + 1}</kbd>}
        </button>
      ))}
    </div>
  );
}
