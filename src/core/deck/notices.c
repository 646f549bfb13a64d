/* See notices.h. */
#include "core/deck/notices.h"

#include <stdio.h>
#include <string.h>

static void tell(void *arg)
{
	struct notices *notices = arg;
	char texts[NOTICES_MAX][NOTICE_SIZE];
	unsigned count, lost;

	pthread_mutex_lock(&notices->lock);
	count = notices->count;
	lost = notices->lost;
	memcpy(texts, notices->texts, sizeof(texts));
	notices->count = notices->lost = 0;
	pthread_mutex_unlock(&notices->lock);
	for (unsigned i = 0; i < count; i++)
		journal_emit(notices->journal, NULL, DECK_EVENT_LOG, "%s", texts[i]);
	if (lost)
		journal_emit(notices->journal, NULL, DECK_EVENT_LOG, "%u further notices at once",
			     lost);
}

void notices_init(struct notices *notices, struct loop *loop, struct journal *journal)
{
	notices->loop = loop;
	notices->journal = journal;
	notices->task = (struct loop_task){ .run = tell, .arg = notices };
	notices->count = notices->lost = 0;
	pthread_mutex_init(&notices->lock, NULL);
}

void notices_destroy(struct notices *notices)
{
	pthread_mutex_destroy(&notices->lock);
}

void notices_add(void *arg, const char *text)
{
	struct notices *notices = arg;

	pthread_mutex_lock(&notices->lock);
	if (notices->count < NOTICES_MAX)
		snprintf(notices->texts[notices->count++], NOTICE_SIZE, "%s", text);
	else
		notices->lost++;
	pthread_mutex_unlock(&notices->lock);
	loop_post(notices->loop, &notices->task);
}
