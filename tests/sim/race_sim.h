/*
 * race_sim.h - generated networks: made, written down, made smaller.
 * Used:   by sim_race.c.
 */
#ifndef TESTS_SIM_RACE_SIM_H
#define TESTS_SIM_RACE_SIM_H

#include "fake/race_net.h"
#include <stdio.h>

/* The network of a seed: always the same. */
void race_make(uint64_t seed, struct race_net *ret_net);
/* Takes out of the network, and simplifies, whatever it fails without. */
void race_shrink(struct race_net *net, bool (*fails)(const struct race_net *net));

/* A network as lines of text, times in ms (-1: never); the form of race_kept.txt. */
void race_case_write(FILE *file, const struct race_net *net);
/* The next one of the file. 1: read; 0: there is none; -1: it is not of that form. */
int race_case_read(FILE *file, struct race_net *ret_net);

#endif
