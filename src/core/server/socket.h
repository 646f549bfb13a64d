/* The server's place in the file system: its folder, its lock, its socket. Any thread. */
#ifndef CORE_SERVER_SOCKET_H
#define CORE_SERVER_SOCKET_H

#include <stdbool.h>

#include "base/cause.h"

/*
 * Takes the place at path for this process: makes and checks its folder, locks path.lock
 * (which holds our pid), replaces a socket that nobody answers, and listens. 0 and two
 * fds, or a negative errno with a cause: see server_listen().
 */
int server_socket_open(const char *path, int *listen_fd, int *lock_fd, struct cause *cause);

/* Whether clients still find what server_socket_open() made: others may remove files. */
bool server_socket_is_there(const char *path, int lock_fd);

/* Gives the place up; closes both. */
void server_socket_close(const char *path, int listen_fd, int lock_fd);

#endif
