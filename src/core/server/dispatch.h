/* From a line to who carries it out. Deck thread. */
#ifndef CORE_SERVER_DISPATCH_H
#define CORE_SERVER_DISPATCH_H

#include "core/server/peer.h"

/* Does what a peer of server, a struct server, asks for; what is wrong with it is answered. */
void dispatch_line(void *server, struct peer *peer, const char *line, size_t size);

#endif
