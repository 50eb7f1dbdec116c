import type { ReactElement } from 'react';
import type { Member } from './live.js';

/** Somebody's initials on a colour of theirs; an empty ring for nobody. */
export function Avatar({
  member,
  label = true,
}: {
  member: Member | undefined;
  label?: boolean;
}): ReactElement {
  const name = member?.name ?? 'Nobody';
  const named = label ? { role: 'img', 'aria-label': name, title: name } : { 'aria-hidden': true };
  if (member === undefined) return <span className="avatar avatar-nobody" {...named} />;
  // Drawn, not text: whoever hears the page hears the name.
  return (
    <span
      className="avatar"
      data-initials={initials(member.name)}
      style={{ background: member.color }}
      {...named}
    />
  );
}

function initials(name: string): string {
  const words = name.split(' ');
  return `${words[0]?.charAt(0) ?? ''}${words.length > 1 ? (words.at(-1)?.charAt(0) ?? '') : ''}`.toUpperCase();
}
