/**
 * The only ways in which the page changes. Names of instances are other people's words: they become text nodes and
 * never markup, which the policy (trusted types) forbids as well.
 */
export const elements = /* js */ `
/** @param {string} name @param {string} [className] @param {...(Node | string)} children */
function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** @param {string} name @param {Record<string, string>} attributes */
function drawing(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

/** Leaves alone what has not changed, so that a selection survives. @param {Node} node @param {string} text */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string} value */
function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * @param {string} className
 * @param {string} label what a phone shows in place of the column's head
 * @param {...(Node | string)} children
 */
function cell(className, label, ...children) {
  const made = element('td', className, ...children);
  made.setAttribute('role', 'cell');
  made.dataset.label = label;
  return made;
}

/** One that is empty takes no room. @param {HTMLElement} node @param {string} text */
function setLine(node, text) {
  setText(node, text);
  node.hidden = text === '';
}

/** @param {string} id @returns {HTMLElement} */
function find(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error('The page has no ' + id);
  return found;
}

/** By how much the server's clock is ahead of this one, in milliseconds. */
let clockLead = 0;

/** "2 min ago", "in 30 s"; with a word before it "for 2 min". @param {string} [word] */
function relativeTime(word) {
  const node = document.createElement('time');
  node.dataset.word = word ?? '';
  return {
    node,
    /** @param {string} at */
    update(at) {
      setAttribute(node, 'datetime', at);
      setAttribute(node, 'title', at);
      refreshTime(node);
    },
  };
}

/** @param {HTMLTimeElement} node */
function refreshTime(node) {
  const ahead = Date.parse(node.dateTime) - Date.now() - clockLead;
  if (node.dataset.word) setText(node, node.dataset.word + span(-ahead));
  else setText(node, ahead > 0 ? 'in ' + span(ahead) : span(-ahead) + ' ago');
}

function refreshTimes() {
  for (const node of document.querySelectorAll('time')) {
    if (node.dataset.word !== undefined && node.dateTime !== '') refreshTime(node);
  }
}
`;
