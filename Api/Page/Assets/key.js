// The key of a server that asks for one. It is kept for this tab alone, until the tab is closed, and sent as a header:
// an address is kept in histories and logs.
import { byId, setText } from './dom.js';

const NAME = 'clicks-key';

export const hasKey = () => sessionStorage.getItem(NAME) !== null;

/** fetch, with the key if there is one. */
export function ask(path, options = {}) {
  const key = sessionStorage.getItem(NAME);
  return fetch(path, key === null ? options : { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}` } });
}

/** What a command needs to be let in; the reader has the key in a variable, not on the screen. */
export const keyOption = () => hasKey() ? ' -H "Authorization: Bearer $KEY"' : '';

/** Whether an answer means that there has to be a key, or another one. */
export const needsKey = status => status === 401 || status === 403;

/** Shows the form and says why. The next key that is given is kept, and then() goes on with it. */
export function askForKey(status, then) {
  const form = byId('key-form');
  const input = byId('key');
  setText(byId('key-said'), status === 403 ? 'This key does not have the scope read; give one that has it.'
    : hasKey() ? 'The server does not know this key, or it was revoked.'
    : 'This server shows its numbers only to who has a key with the scope read.');
  sessionStorage.removeItem(NAME);
  showLinks();
  form.hidden = false;
  input.value = '';
  input.focus();
  form.onsubmit = submitted => {
    submitted.preventDefault();
    const key = input.value.trim();
    input.value = '';
    if (!/^[\x21-\x7e]+$/.test(key)) {
      setText(byId('key-said'), 'This is no key: it has sk_ in front, and no spaces.');
      return;
    }
    sessionStorage.setItem(NAME, key);
    form.hidden = true;
    showLinks();
    then();
  };
}

/** A link cannot send a key: with one, those that would only be refused are not shown. */
export function showLinks() {
  for (const link of document.querySelectorAll('[data-open]')) link.hidden = hasKey() || !byId('key-form').hidden;
  byId('key-forget').hidden = !hasKey();
}

byId('key-forget').addEventListener('click', () => {
  sessionStorage.removeItem(NAME);
  location.reload();
});
showLinks();
