/*
 * What is done to frames on purpose, drawn frame by frame: who is lost, and when the others go
 * on. The models are those of tc-netem(8). Its chance is its own, so that the same seed gives the
 * same. Pure: who calls it says what time it is, and calls it for one frame at a time.
 */
#ifndef NET_SWITCH_IMPAIR_H
#define NET_SWITCH_IMPAIR_H

#include "net/switch/settings.h"

struct impair {
	struct net_impairment settings;
	uint64_t chance; /* the generator's state */
	bool losing;	 /* within a burst of losses */
	uint64_t idle;	 /* when the line has sent all that came before: ns */
};

#define IMPAIR_COPIES 2

struct impair_copy {
	uint64_t time; /* when it goes on, as now */
	uint64_t line; /* ns that the line is busy with it */
	bool corrupt;
	uint32_t bit; /* of the frame, which is turned */
};

/* What becomes of a frame. */
struct impair_fate {
	unsigned count; /* copies: 0: it is lost */
	struct impair_copy copies[IMPAIR_COPIES];
	bool reordered; /* the first copy is not delayed although others are */
};

/* What was done on purpose to frames that went one way. */
struct net_impaired {
	uint64_t lost, over_limit, delayed, duplicated, corrupted, reordered;
};

/* Begins anew; seed is used where the settings have none. */
void impair_begin(struct impair *impair, const struct net_impairment *settings, uint64_t seed);

/* A frame of size bytes comes, of which the first header ones stay as they are; now: ns. */
void impair_draw(struct impair *impair, uint32_t size, uint32_t header, uint64_t now,
		 struct impair_fate *fate);

/* There is no room for one that was drawn last: the line does not send it. */
void impair_refuse(struct impair *impair, const struct impair_copy *copy);

#endif
