/* See say.h. */
#include "roles/say.h"

#include "base/plain.h"

int complain(const struct cause *cause)
{
	plain_say("%s", cause->text);
	return 1;
}

void say_ended(void)
{
	plain_say("the deck was ended");
}
