/*
 * The control protocol's version, limits and error codes, the same for both
 * sides. vmdeck-protocol(7) is the specification.
 */
#ifndef CONTROL_PROTOCOL_H
#define CONTROL_PROTOCOL_H

#define CONTROL_VERSION 1

/* Bytes of one message to the server, its newline included: 4096 names of guests, and more. */
#define CONTROL_MESSAGE_KIB 160
#define CONTROL_MESSAGE_MAX (CONTROL_MESSAGE_KIB * 1024u)
#define CONTROL_RESPONSE_MAX (8u << 20) /* bytes of one message to a client */

/* JSON-RPC 2.0 § 5.1, and ours. */
#define CONTROL_ERROR_PARSE (-32700)
#define CONTROL_ERROR_REQUEST (-32600)
#define CONTROL_ERROR_METHOD (-32601)
#define CONTROL_ERROR_PARAMS (-32602)
#define CONTROL_ERROR_FAILED (-32000)
#define CONTROL_ERROR_STATE (-32001)
#define CONTROL_ERROR_ROLE (-32002)

#endif
