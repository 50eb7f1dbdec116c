import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SluiceProvider } from '@sluice/react';
import { App } from './app.js';
import { client } from './live.js';
import './styles/base.css';
import './styles/layout.css';
import './styles/dialogs.css';
import './styles/issues.css';
import './styles/dock.css';

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
// For the browser's console: `sluice.liveViews`, `await sluice.reached(lsn)`.
Object.assign(window, { sluice: client });
createRoot(root).render(
  <StrictMode>
    <SluiceProvider client={client}>
      <App />
    </SluiceProvider>
  </StrictMode>,
);
