/*
 * Storage, databases, desktops: SMB (MS-SMB2) on NetBIOS sessions (RFC 1002), ONC RPC
 * (RFC 5531) with NFS, DCE RPC (C706), iSCSI (RFC 7143), TPKT (RFC 1006) with RDP, MySQL,
 * PostgreSQL, RFB (RFC 6143), Redis. Pure; any thread.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

static uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void say_smb2(const struct packet *p)
{
	static const char *const commands[] = {
		"Negotiate Protocol",
		"Session Setup",
		"Session Logoff",
		"Tree Connect",
		"Tree Disconnect",
		"Create",
		"Close",
		"Flush",
		"Read",
		"Write",
		"Lock",
		"Ioctl",
		"Cancel",
		"KeepAlive",
		"Find",
		"Notify",
		"GetInfo",
		"SetInfo",
		"Break",
	};
	unsigned command = p->data[12] | (unsigned)p->data[13] << 8;

	if (command < ARRAY_SIZE(commands))
		packet_say(p, "%s ", commands[command]);
	else
		packet_say(p, "Command %u ", command);
	packet_say(p, p->data[16] & 1 ? "Response" : "Request");
}

bool decode_smb(struct packet *p)
{
	static const struct number_name sessions[] = {
		{ 0x00, "Session message" },           { 0x81, "Session request" },
		{ 0x82, "Positive session response" }, { 0x83, "Negative session response" },
		{ 0x84, "Retarget session response" }, { 0x85, "Session keep-alive" },
	};

	if (!packet_has(p, 4))
		return false;
	if (!NAME_FIND(sessions, p->data[0])) {
		packet_say(p, "NBSS Continuation Message");
		return true;
	}
	if (!packet_whole(p, 4 + (size_t)(get_be32(p->data) & 0xffffffu)))
		return false;
	SAY_NAME(p, sessions, "Session", p->data[0]);
	if (p->data[0] || !packet_has(p, 8))
		return true;
	packet_skip(p, 4);
	if (memcmp(p->data + 1, "SMB", 3) != 0)
		return true;
	p->out->text[strlen(p->out->text) - strlen("Session message")] = '\0';
	if (p->data[0] == 0xfe && packet_has(p, 20)) {
		packet_protocol(p, "SMB2");
		say_smb2(p);
	} else if (p->data[0] == 0xfd) {
		packet_protocol(p, "SMB2");
		packet_say(p, "Encrypted SMB3");
	} else if (p->data[0] == 0xff && packet_has(p, 10)) {
		packet_protocol(p, "SMB");
		packet_say(p, "Command 0x%02x %s", p->data[4],
			   p->data[9] & 0x80 ? "Response" : "Request");
	}
	return true;
}

static const struct {
	uint32_t number;
	const char *name;
} rpc_programs[] = {
	{ 100000, "Portmap" }, { 100003, "NFS" },    { 100004, "YPSERV" }, { 100005, "MOUNT" },
	{ 100007, "YPBIND" },  { 100011, "RQUOTA" }, { 100020, "KLM" },    { 100021, "NLM" },
	{ 100024, "STAT" },    { 100227, "NFSACL" }, { 100005, "MOUNT" },
};

/* A call says which program it means; an answer does not, so that it is told by its port. */
static bool rpc_message(struct packet *p, bool answers)
{
	size_t at = p->stream ? 4 : 0;
	const char *name = NULL;
	uint32_t program;

	if (!packet_has(p, at + 12) ||
	    (p->stream && !packet_whole(p, 4 + (size_t)(get_be32(p->data) & 0x7fffffffu))))
		return false;
	packet_skip(p, at);
	if (answers && get_be32(p->data + 4) == 1 && get_be32(p->data + 8) <= 1) {
		packet_protocol(p, "RPC");
		packet_say(p, "Reply XID 0x%08x", get_be32(p->data));
		return true;
	}
	if (get_be32(p->data + 4) || get_be32(p->data + 8) != 2 || !packet_has(p, 24))
		return false;
	program = get_be32(p->data + 12);
	for (size_t i = 0; i < ARRAY_SIZE(rpc_programs); i++)
		if (rpc_programs[i].number == program)
			name = rpc_programs[i].name;
	packet_protocol(p, name ? name : "RPC");
	packet_say(p, "V%u ", get_be32(p->data + 16));
	if (!name)
		packet_say(p, "program %u ", program);
	packet_say(p, "procedure %u Call XID 0x%08x", get_be32(p->data + 20), get_be32(p->data));
	return true;
}

bool decode_rpc(struct packet *p)
{
	return rpc_message(p, true);
}

bool decode_rpc_call(struct packet *p)
{
	return rpc_message(p, false);
}

bool decode_dcerpc(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0, "Request" },        { 2, "Response" },
		{ 3, "Fault" },          { 11, "Bind" },
		{ 12, "Bind_ack" },      { 13, "Bind_nak" },
		{ 14, "Alter_context" }, { 15, "Alter_context_resp" },
		{ 16, "AUTH3" },         { 17, "Shutdown" },
		{ 18, "Co_cancel" },     { 19, "Orphaned" },
	};
	const char *type;

	if (!packet_has(p, 16) || p->data[0] != 5 || p->data[1] > 1 ||
	    !(type = NAME_FIND(types, p->data[2])) || (p->data[4] & 0xee))
		return false;
	if (!packet_whole(p, p->data[4] & 0x10 ? p->data[8] | (unsigned)p->data[9] << 8
					       : get_be16(p->data + 8)))
		return false;
	packet_protocol(p, "DCERPC");
	packet_say(p, "%s", type);
	return true;
}

bool decode_iscsi(struct packet *p)
{
	static const struct number_name operations[] = {
		{ 0x00, "NOP Out" },
		{ 0x01, "SCSI Command" },
		{ 0x02, "Task Management" },
		{ 0x03, "Login Command" },
		{ 0x04, "Text Command" },
		{ 0x05, "SCSI Data Out" },
		{ 0x06, "Logout Command" },
		{ 0x10, "SNACK" },
		{ 0x20, "NOP In" },
		{ 0x21, "SCSI Response" },
		{ 0x22, "Task Management Response" },
		{ 0x23, "Login Response" },
		{ 0x24, "Text Response" },
		{ 0x25, "SCSI Data In" },
		{ 0x26, "Logout Response" },
		{ 0x31, "Ready To Transfer" },
		{ 0x32, "Async Message" },
		{ 0x3f, "Reject" },
	};
	const char *name;

	if (!packet_has(p, 48) || !(name = NAME_FIND(operations, p->data[0] & 0x3f)))
		return false;
	if (!packet_whole(p, 48 + p->data[4] * 4u +
				     (((get_be32(p->data + 4) & 0xffffffu) + 3u) & ~3u)))
		return false;
	packet_say(p, "%s", name);
	return true;
}

/* Connections of X.224 (RFC 1006) carry RDP (MS-RDPBCGR §2.2.1). */
bool decode_tpkt(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0x80, "DR TPDU" }, { 0xc0, "DC TPDU" }, { 0xd0, "CC TPDU" },
		{ 0xe0, "CR TPDU" }, { 0xf0, "DT TPDU" }, { 0x70, "ER TPDU" },
	};

	if (decode_tls(p))
		return true;
	if (!packet_has(p, 7) || p->data[0] != 3 || p->data[1] ||
	    !packet_whole(p, get_be16(p->data + 2)))
		return false;
	packet_protocol(p, "COTP");
	if (p->data[5] == 0xe0 && packet_has(p, 18) &&
	    (memcmp(p->data + 11, "Cookie:", 7) == 0 || (p->data[11] == 1 && p->data[13] == 8)))
		packet_protocol(p, "RDP");
	else if (p->data[5] == 0xd0 && packet_has(p, 15) && p->data[4] == 14 && p->data[13] == 8)
		packet_protocol(p, "RDP");
	SAY_NAME(p, types, "TPDU", p->data[5]);
	if (p->data[5] == 0xe0 && packet_has(p, 18) && memcmp(p->data + 11, "Cookie:", 7) == 0) {
		packet_say(p, " ");
		packet_skip(p, 11);
		packet_quote_line(p, 80);
	}
	return true;
}

bool decode_mysql(struct packet *p)
{
	static const struct number_name commands[] = {
		{ 1, "Quit" },
		{ 2, "Use Database" },
		{ 3, "Query" },
		{ 4, "Show Fields" },
		{ 14, "Ping" },
		{ 22, "Prepare Statement" },
		{ 23, "Execute Statement" },
	};
	uint32_t size;

	if (!packet_has(p, 5))
		return false;
	size = get_le32(p->data) & 0xffffffu;
	if (!packet_whole(p, size + 4u))
		return false;
	if (p->from_port == 3306) {
		if (p->data[3] == 0 && p->data[4] == 10) {
			packet_say(p, "Server Greeting ");
			packet_quote(p, p->data + 5,
				     strnlen((const char *)p->data + 5, p->captured - 5));
		} else {
			packet_say(p, p->data[4] == 0xff ? "Response Error" : "Response");
		}
		return true;
	}
	if (p->data[3]) {
		packet_say(p, "Login Request");
		return true;
	}
	packet_say(p, "Request ");
	SAY_NAME(p, commands, "command", p->data[4]);
	if (p->data[4] == 3) {
		packet_say(p, " ");
		packet_skip(p, 5);
		packet_quote_line(p, 120);
	}
	return true;
}

bool decode_postgres(struct packet *p)
{
	static const struct number_name front[] = {
		{ 'B', "Bind" },
		{ 'C', "Close" },
		{ 'D', "Describe" },
		{ 'E', "Execute" },
		{ 'F', "Function call" },
		{ 'H', "Flush" },
		{ 'P', "Parse" },
		{ 'Q', "Simple query" },
		{ 'S', "Sync" },
		{ 'X', "Termination" },
		{ 'p', "Password message" },
	};
	static const struct number_name back[] = {
		{ '1', "Parse completion" },
		{ '2', "Bind completion" },
		{ 'C', "Command completion" },
		{ 'D', "Data row" },
		{ 'E', "Error" },
		{ 'K', "Backend key data" },
		{ 'R', "Authentication request" },
		{ 'S', "Parameter status" },
		{ 'T', "Row description" },
		{ 'Z', "Ready for query" },
	};

	if (p->from_port == 5432 && p->size == 1 && packet_has(p, 1)) {
		packet_say(p, "SSL response");
		return true;
	}
	if (!packet_has(p, 5))
		return false;
	if (!p->data[0]) { /* a start-up message has no type */
		if (!packet_whole(p, get_be32(p->data)))
			return false;
		packet_say(p, packet_has(p, 8) && get_be32(p->data + 4) == 80877103
				      ? "SSL request"
				      : "Startup message");
		return true;
	}
	if (!packet_whole(p, get_be32(p->data + 1) + (size_t)1))
		return false;
	if (p->from_port == 5432)
		SAY_NAME(p, back, "Message", p->data[0]);
	else
		SAY_NAME(p, front, "Message", p->data[0]);
	if (p->data[0] == 'Q') {
		packet_say(p, " ");
		packet_skip(p, 5);
		packet_quote_line(p, 120);
	}
	return true;
}

bool decode_vnc(struct packet *p)
{
	if (packet_has(p, 4) && memcmp(p->data, "RFB ", 4) == 0)
		return decode_line(p);
	packet_say(p, "%zu bytes", p->size);
	return true;
}

/* A type, then a line: RESP. */
bool decode_redis(struct packet *p)
{
	if (!packet_has(p, 3) || !strchr("+-:$*", p->data[0]) || !p->data[0])
		return false;
	return decode_line(p);
}
