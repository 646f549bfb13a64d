/* How well letters that were typed fit a word. Pure. */
#ifndef TUI_MODEL_FUZZY_H
#define TUI_MODEL_FUZZY_H

/*
 * Whether the letters of typed stand in text in that order, upper or lower case: -1 when they do
 * not, else how well, more for those at the beginning of it and of words, and for runs. Nothing
 * typed fits everything, with 0.
 */
int fuzzy_score(const char *typed, const char *text);

#endif
