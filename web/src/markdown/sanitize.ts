// The only way from HTML text to elements of the page. It keeps an allow-list and drops the rest.
// DOMPurify brings the Trusted Types policy `dompurify`, the one that the page's
// Content-Security-Policy lets in.

import DOMPurify from 'dompurify';

const TAGS = (
  'p br hr h1 h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li a table thead tbody tr th td figure figcaption span div button input'
).split(' ');
/** Attributes whose value is no address. */
const PLAIN_ATTRIBUTES = (
  'title class data-language data-copy type checked disabled align start tabindex role aria-label'
).split(' ');

DOMPurify.addHook('afterSanitizeAttributes', (element) => {
  if (element.tagName !== 'A') return;
  element.setAttribute('target', '_blank');
  element.setAttribute('rel', 'noopener noreferrer nofollow');
});

/** Elements of a rendered answer: no scripts, styles, forms, frames or media, and links only to
 *  the web, to mail and within the page. */
export function sanitize(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', ...PLAIN_ATTRIBUTES],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
    // The expression above is applied to the value of every attribute that is not named here.
    ADD_URI_SAFE_ATTR: PLAIN_ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}

/** Elements of coloured code: `span` with a class, nothing else. */
export function sanitizeCode(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: ['span'],
    ALLOWED_ATTR: ['class'],
    RETURN_DOM_FRAGMENT: true,
  });
}
