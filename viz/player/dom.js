/* Making elements. Text is only ever text: nothing here parses a word of the user as HTML. */

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";
const MATH_TAGS = new Set("math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msup msub msubsup munder mover munderover mtable mtr mtd mstyle mpadded mphantom".split(" "));
const MATH_ATTRIBUTES = new Set("display mathvariant stretchy fence separator form lspace rspace width columnalign class".split(" "));

const one = (id) => document.getElementById(id);

function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/* A formula from the text of its MathML, rebuilt from known elements only; text that is no MathML stays text. */
function formula(text) {
  if (!text.startsWith("<math")) return document.createTextNode(text);
  const parsed = new DOMParser().parseFromString(text, "application/xml").documentElement;
  return rebuilt(parsed) || document.createTextNode(text);
}

function rebuilt(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || !MATH_TAGS.has(node.localName)) return null;
  const element = document.createElementNS(MATHML, node.localName);
  for (const { name, value } of node.attributes) if (MATH_ATTRIBUTES.has(name)) element.setAttribute(name, value);
  element.append(...Array.from(node.childNodes, rebuilt).filter(Boolean));
  return element;
}

/* "Step {i} of {n}" with its slots filled, in one pass: what fills a slot is not looked at again. */
function filled(phrase, slots) {
  return phrase.replace(/\{(\w+)\}/g, (whole, name) => (name in slots ? slots[name] : whole));
}
