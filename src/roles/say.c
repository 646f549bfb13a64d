/* See say.h. */
#include "roles/say.h"

#include <stdio.h>

int complain(const struct cause *cause)
{
	fprintf(stderr, "vmdeck: %s\n", cause->text);
	return 1;
}

void say_ended(void)
{
	fprintf(stderr, "vmdeck: the deck was ended\n");
}
