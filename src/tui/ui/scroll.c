/* Moving over lines. Pure. */
#include "tui/ui/scroll.h"

bool scroll_bound(int *top, int lines, int page)
{
	int most = lines > page ? lines - page : 0, was = *top;

	*top = was > most ? most : was < 0 ? 0 : was;
	return *top != was;
}

bool scroll_command(int *top, int lines, int page, enum command command)
{
	int most = lines > page ? lines - page : 0;

	switch (command) {
	case COMMAND_UP:
		--*top;
		break;
	case COMMAND_DOWN:
		++*top;
		break;
	case COMMAND_PAGE_UP:
		*top -= page > 1 ? page - 1 : 1;
		break;
	case COMMAND_PAGE_DOWN:
		*top += page > 1 ? page - 1 : 1;
		break;
	case COMMAND_FIRST:
		*top = 0;
		break;
	case COMMAND_LAST:
		*top = most;
		break;
	default:
		return false;
	}
	scroll_bound(top, lines, page);
	return true;
}

bool scroll_cursor(int *at, int lines, int page, enum command command)
{
	int step = page > 1 ? page - 1 : 1;

	if (command == COMMAND_PAGE_UP)
		*at -= step;
	else if (command == COMMAND_PAGE_DOWN)
		*at += step;
	else
		return scroll_command(at, lines, 1, command);
	scroll_bound(at, lines, 1);
	return true;
}
