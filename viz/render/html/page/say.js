// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The reader's language. Texts are written in English here and looked up in the page's dictionary
 * (viz/format/german*.def); an English page has none. What is said when the page is read, before
 * its data, is not yet looked up: tables of words are said where they are shown.
 */

let dictionary = null; /* a Map from English */

export function speak(pairs) {
	dictionary = pairs ? new Map(pairs) : null;
}

/* say("{} of {} rows", 3, 7): values stand in the same order in each language. */
export function say(english, ...values) {
	const text = (dictionary && dictionary.get(english)) || english;
	let at = 0;

	return values.length ? text.replace(/\{\}/g, () => values[at++]) : text;
}

/* A number's decimal point and thousands' separators, as that language writes them. */
export function numeral(text) {
	return dictionary ? text.replace(/[.,]/g, (sign) => (sign === "." ? "," : ".")) : text;
}

const TOLD = ["title", "placeholder", "aria-label"];

/* The page's own markup. */
export function sayMarkup(element) {
	for (const name of TOLD)
		if (element.hasAttribute(name)) element.setAttribute(name, say(element.getAttribute(name)));
	for (const child of element.childNodes)
		if (child.nodeType === Node.ELEMENT_NODE) sayMarkup(child);
		else if (child.nodeType === Node.TEXT_NODE && child.data.trim())
			child.data = say(child.data.trim());
}
