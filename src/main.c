/* vmdeck: picks the role. Main thread. */
#include "roles.h"

int main(int argc, char **argv)
{
	const struct role_config config = { 0 };

	return argc == 3 ? role_run(&config, argv[2]) : 2;
}
