import { createRoot } from 'react-dom/client';
import { Tasks } from './tasks';

const root = createRoot(document.getElementById('root') ?? document.body);
root.render(<Tasks project={1} />);
