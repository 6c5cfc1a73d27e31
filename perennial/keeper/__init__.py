"""The keeper: commits the prices that are asked for, settles who waits, liquidates who must be, claims its pay."""
