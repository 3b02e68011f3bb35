// Mounts the page, and lets it follow the address, the theme and the keyboard.

import { render } from 'preact';
import { followKeyboard } from './keyboard';
import { followAddress } from './location';
import { loadDrawingSoon } from './markdown/later';
import { followRoute } from './shown';
import './styles/index.css';
import { followTheme } from './theme';
import { followTitle } from './title';
import { App } from './ui/App';

followTheme();
followAddress();
followRoute();
followKeyboard();
followTitle();

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
loadDrawingSoon();
