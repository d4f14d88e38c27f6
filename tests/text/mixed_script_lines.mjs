// Lines of mixed script for tokenizer tests: the same ones on every run.
//
// Left out on purpose, because implementations of \s and \p{..} differ there and none is at fault:
// U+0085 (White_Space in Unicode, not in JavaScript's \s), U+FEFF (the other way round), U+017F (an
// s in case-insensitive Unicode matching), characters newer than Unicode 15, and U+2581, which
// stands for a space in SentencePiece.

/** Numbers in [0, 1) from a 32-bit multiply-and-shift generator. */
function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const WORDS = {
  latin: "the quick Brown FOX jumps over 'lazy' dogs; na\u00EFve caf\u00E9 stra\u00DFe \u0141\u00F3d\u017A " +
    "\u00C5ngstr\u00F6m fa\u00E7ade \uFB01n\u00E6 internationalization Pneumono\u00ADultra o'clock",
  cyrillic: "\u0431\u044B\u0441\u0442\u0440\u0430\u044F \u041A\u043E\u0440\u0438\u0447\u043D\u0435\u0432\u0430\u044F " +
    "\u043B\u0438\u0441\u0430 \u0411\u044A\u043B\u0433\u0430\u0440\u0441\u043A\u0438 \u0457\u0436\u0430\u043A \u0401\u041B\u041A\u0410",
  greek: "\u03BE\u03B5\u03C3\u03BA\u03B5\u03C0\u03AC\u03B6\u03C9 \u03A4\u1F74\u03BD \u03C8\u03C5\u03C7\u03BF\u03C6\u03B8\u03CC\u03C1\u03B1 " +
    "\u0392\u03B4\u03B5\u03BB\u03C5\u03B3\u03BC\u03AF\u03B1 \u1F00\u03C1\u03C7\u1FC7",
  arabic: "\u0645\u0631\u062D\u0628\u0627 \u0627\u0644\u0639\u064E\u0631\u064E\u0628\u0650\u064A\u0651\u0629 " +
    "\u0643\u062A\u0627\u0628\u060C \u0644\u0645\u0627\u0630\u0627\u061F \u06AF\u0644 \uFDFA",
  hebrew: "\u05E9\u05DC\u05D5\u05DD \u05E2\u05D5\u05DC\u05DD \u05E9\u05C1\u05B8\u05DC\u05D5\u05B9\u05DD \u05D1\u05BE\u05DB\u05DC",
  devanagari: "\u0928\u092E\u0938\u094D\u0924\u0947 \u0926\u0941\u0928\u093F\u092F\u093E \u0939\u093F\u0928\u094D\u0926\u0940\u0964 \u0915\u094D\u0937\u093F",
  thai: "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35\u0E0A\u0E32\u0E27\u0E42\u0E25\u0E01 \u0E19\u0E49\u0E33 \u0E1C\u0E39\u0E49\u0E43\u0E2B\u0E0D\u0E48",
  cjk: "\u4F60\u597D\u4E16\u754C \u6771\u4EAC\u90FD\u3002 \u3053\u3093\u306B\u3061\u306F \u30AB\u30BF\u30AB\u30CA\u30FC \u300C\u5F15\u7528\u300D \uD842\uDFB7\u91CE\u5BB6",
  hangul: "\uC548\uB155\uD558\uC138\uC694 \uC138\uACC4 \uD55C\uAD6D\uC5B4\uB85C \u1112\u1161\u11AB \u3131\u3134",
  other: "\u10E5\u10D0\u10E0\u10D7\u10E3\u10DA\u10D8 \u0540\u0561\u0575\u0565\u0580\u0565\u0576 \u1200\u120E\u12CD \u0BA4\u0BAE\u0BBF\u0BB4\u0BCD " +
    "\u0995\u09CD\u09B7 \u1781\u17D2\u1798\u17C2\u179A \u13A0\u13C2\u13EF \uD801\uDC00\uD801\uDC28 \uA9A0\uA9AB",
};

const PIECES = {
  ...Object.fromEntries(Object.entries(WORDS).map(([script, text]) => [script, text.split(" ")])),
  emoji: ["\u{1F600}", "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}", "\u{1F44D}\u{1F3FD}",
    "\u{1F1E9}\u{1F1EA}", "\u2764\uFE0F", "\u{1F3F3}\uFE0F\u200D\u{1F308}", "1\uFE0F\u20E3", "\u{1FAE0}",
    "\u{1F9D1}\u{1F3FB}\u200D\u{1F680}"],
  combining: ["e\u0301", "o\u0308\u0304", "Z\u0351\u036B\u0343a\u0349\u032D", "\u0301", " \u0308", "A\u030A", "q\u0307\u0323",
    "\u0915\u093C", "\uAC00\u11A8"],
  digits: ["0", "7", "42", "123", "1234", "98765", "1000000", "3.14159", "1,234.5", "0x1F", "\u0661\u0662\u0663\u0664",
    "\u0967\u0968", "\u0E51\u0E52\u0E53\u0E54\u0E55", "\uFF11\uFF12", "\u2167", "\u00B2\u00B3", "\u00BD", "\u2460", "\u3007\u5341",
    "\u{1D7D8}\u{1D7D9}", "2026-11-22"],
  contractions: ["I'm", "I'M", "you're", "YOU'RE", "we've", "We'Ve", "he'll", "HE'LL", "she'd", "She'D", "it's", "IT'S",
    "can't", "CAN'T", "'S", "'llama", "'Tis", "rock'n'roll", "''s", "'", "\u2019s", "don\u2019t", "'re'", "a'lL"],
  code: ["if (x <= y && !z) { return; }", "for (int i = 0; i < 10; ++i)", "#include <vector>", "a[i] += b->c;",
    "def f(x):\n    return x ** 2\n", "\tprintf(\"%d\\n\", n);", "SELECT * FROM t WHERE a='b';", "https://example.com/?q=a%20b&c=1#d",
    "<div class=\"x\">&nbsp;</div>", "$HOME/.config", "a@b.org", "/* c */", "==>", "|||", "~~~", "```", "^_^", "\\frac{1}{2}"],
  symbols: ["!", "?!", "...", "\u2026", "\u2014", "\u00AB\u00BB", "\u20AC5", "\u00A3", "+-*/", "\u00D7\u00F7", "\u2192", "\u221E\u2264", "\u00A9\u00AE", "\u2605\u2606",
    "\u3001\u3002", "\u00BF\u00A1", "(", ")", "[]", "{}", "\"", "%", "&", "@", "\u0000", "\u0007", "\u001B[0m", "\u200B", "\u200E", "\uFFFD", "\uE000"],
  whitespace: [" ", "  ", "   ", "     ", "\t", "\t\t", " \t ", "\n", "\n\n", "\r\n", "\r\n\r\n", " \n", "\n ", "  \n  \n   ",
    "\r", "\u00A0", "\u3000", "\u2003\u2003", "\u2028", "\u2029", "\u202F", "\u1680", "\v", "\f", " \u00A0 "],
  runs: ["        ", " ".repeat(33), "\n\n\n\n\n", "\t\t\t\t", "=======", "-".repeat(20), "aaaaaaa", "hahahahaha", "!!!!!",
    "......", "\u3042\u3042\u3042\u3042", "\u{1F600}\u{1F600}\u{1F600}", "000000000", "    return", "\n    \n        "],
};
const JOINS = [" ", " ", " ", " ", "", "", "  ", "\n", ", ", "-", "\t", "\r\n"];

/** `count` lines; a line may hold line breaks, and here and there one of `specials`. */
export function mixedScriptLines(count, specials) {
  const random = makeRandom(20261122);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const kinds = Object.keys(PIECES);
  const lines = [];
  for (let i = 0; i < count; ++i) {
    const length = 1 + Math.floor(random() * 14);
    // Half of the lines keep to two kinds of text, as texts do; the other half mixes all.
    const from = random() < 0.5 ? [pick(kinds), pick(kinds)] : kinds;
    let line = random() < 0.1 ? pick(PIECES.whitespace) : "";
    for (let k = 0; k < length; ++k) {
      if (k > 0) line += pick(JOINS);
      if (random() < 0.04) line += pick(specials);
      const piece = pick(PIECES[pick(from)]);
      line += random() < 0.05 ? piece.toUpperCase() : piece;
    }
    if (random() < 0.1) line += pick(PIECES.whitespace);
    lines.push(line);
  }
  return lines;
}
