// Mounts the page, and lets it follow the address, the theme, the keyboard and who is signed in.

import { render } from 'preact';
import { followTyping } from './access/asking';
import { followReturning } from './access/sign';
import { followKeyboard } from './keyboard';
import { followAddress } from './location';
import { loadDrawingSoon } from './markdown/later';
import { followRoute } from './shown';
import './styles/index.css';
import { followTheme } from './theme';
import { followTitle } from './title';
import { App } from './ui/App';

followTheme();
followReturning();
followTyping();
followAddress();
followRoute();
followKeyboard();
followTitle();

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
loadDrawingSoon();
