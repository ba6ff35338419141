// What a search shows first: the guide to a task, if the word is in its title, before the page that explains it.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) => {
    if (docname.startsWith("howto/") && docname !== "howto/index") return score + 4;
    if (docname === "reference/glossary") return Math.min(score, 18); // after the guide whose title has the word
    return score;
  },
  // The rest is Sphinx's own.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
