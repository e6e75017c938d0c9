"""The checks of the exercises, one module a lesson; each answers in one sentence and never raises."""
