/* The settings of a port as words, key by key: as a profile has them. Any thread. */
#ifndef CORE_PROFILE_PORT_SETTINGS_H
#define CORE_PROFILE_PORT_SETTINGS_H

#include "base/cause.h"
#include "net/switch/settings.h"

/* Changes one. -EINVAL or -ERANGE with a sentence, also for a key that there is not. */
int port_settings_take(struct net_port_settings *settings, const char *key, const char *text,
		       struct cause *cause);

#define PORT_SETTING_MAX 256

/*
 * The value of a key of net_port_keys; false if it is the standard one. What is too long ends
 * with "...".
 */
bool port_settings_text(const struct net_port_settings *settings, const struct profile_key *key,
			char out[PORT_SETTING_MAX]);

#endif
