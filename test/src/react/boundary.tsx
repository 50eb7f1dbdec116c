import { Component, type ReactNode } from 'react';

interface State {
  readonly error: { readonly code: string } | null;
}

/** Shows the code of what the components in it throw. */
export class Boundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: { readonly code: string }): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <button type="button" onClick={() => this.setState({ error: null })}>
        {`failed: ${error.code}`}
      </button>
    );
  }
}
