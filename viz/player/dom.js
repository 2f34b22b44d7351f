// Finding elements, and making formulas. Text is only ever text: nothing here parses a word of the user as HTML.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const MATH_TAGS = new Set("math mrow mi mn mo mtext mspace mfrac msqrt msup msub mtable mtr mtd".split(" "));
const MATH_ATTRIBUTES = new Set(["displaystyle", "lspace", "mathvariant", "rspace", "stretchy", "width", "class"]);

const one = (id) => document.getElementById(id);

function label(element, text) {
  element.setAttribute("aria-label", text);
  element.title = text;
}

/** A formula from the text of its MathML, rebuilt from known elements only; what is no MathML stays text. */
function formulaOf(text) {
  if (!text.startsWith("<math")) return document.createTextNode(text);
  return rebuilt(new DOMParser().parseFromString(text, "application/xml").documentElement) ?? document.createTextNode(text);
}

function rebuilt(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || !MATH_TAGS.has(node.localName)) return null;
  const element = document.createElementNS(MATHML, node.localName);
  for (const { name, value } of node.attributes) if (MATH_ATTRIBUTES.has(name)) element.setAttribute(name, value);
  element.append(...Array.from(node.childNodes, rebuilt).filter(Boolean));
  return element;
}
