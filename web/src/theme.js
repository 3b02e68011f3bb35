// Puts the theme on the page before anything is drawn, so that it does not flash. A classic script
// that blocks, and therefore no more than this; theme.ts follows what changes later.

(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('patter.theme');
  } catch {
    // The browser's settings forbid it: the system's theme it is.
  }
  const dark = chosen === '"dark"' || (chosen !== '"light"' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
