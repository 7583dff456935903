/**
 * Makes an element. `properties`: `class`, `text`, `on` (listeners by event), and attributes, left out where undefined
 * or false.
 */
export function element(tag, properties = {}, ...children) {
  const { class: className, text, on = {}, ...attributes } = properties;
  const node = document.createElement(tag);
  if (className !== undefined) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  node.append(...children);
  return node;
}

/** Sets the text if it differs, so that a screen reader announces changes only. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Puts `nodes` into `parent` in this order. Moves only nodes that are out of place, so that focus stays. */
export function arrange(parent, nodes) {
  for (const stale of [...parent.children].filter((child) => !nodes.includes(child))) stale.remove();
  for (const [index, node] of nodes.entries()) {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  }
}
