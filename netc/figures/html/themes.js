// The theme of the page and of its figures, remembered for pages that were drawn in the same one.

const theme = $('theme');
const sheets = [...document.querySelectorAll('style[data-theme]')];
const remembered = `netc theme of ${theme.dataset.drawn}`;

const setTheme = name => {
  const media = name === 'auto' ? { light: 'all', dark: '(prefers-color-scheme:dark)' } : { [name]: 'all' };
  sheets.forEach(sheet => { sheet.media = media[sheet.dataset.theme] ?? 'not all'; });
  theme.value = name;
};
const recall = () => {
  try {
    return localStorage.getItem(remembered);
  } catch {
    return null;  // a browser may keep nothing for a file
  }
};
const remember = name => {
  try {
    localStorage.setItem(remembered, name);
  } catch { /* then the theme is for this time alone */ }
};
setTheme([...theme.options].some(option => option.value === recall()) ? recall() : theme.dataset.drawn);
