/* What the commands do that are no view's own. Screen thread. */
#include "tui/ui/commands.h"

#include <curses.h>

#include "tui/ui/edit.h"
#include "tui/ui/held.h"
#include "tui/ui/marked.h"
#include "tui/ui/media.h"
#include "tui/ui/orders.h"
#include "tui/ui/palette.h"
#include "tui/ui/profiles.h"
#include "tui/ui/suspend.h"

void command_run(struct tui *tui, const struct key *key)
{
	struct view *view = tui->top;

	/* Before anything is asked of a person. */
	if (tui->deck->config->read_only && keys_order(key)) {
		tui_say(tui, SEVERITY_ERROR, NULL, TUI_READ_ONLY);
		return;
	}
	if (view->ops->command && view->ops->command(view, key->command))
		return;
	switch (key->command) {
	case COMMAND_OPEN:
		tui_open(tui, key->target, tui_chosen(tui));
		held_check(tui->deck); /* it says which key helps here */
		break;
	case COMMAND_BACK:
		tui_back(tui);
		held_check(tui->deck);
		break;
	case COMMAND_QUIT:
		quit_ask(tui->deck);
		break;
	case COMMAND_REDRAW:
		clearok(curscr, TRUE);
		break;
	case COMMAND_SUSPEND:
		suspend(tui);
		break;
	case COMMAND_PALETTE:
		palette_open(tui, command_run);
		break;
	case COMMAND_ORDER:
		if (view->ops->marks && model_marked(&tui->deck->model))
			marked_order(tui->deck, key->target);
		else
			order_give(tui->deck, tui_chosen(tui), key->target);
		break;
	case COMMAND_EDIT:
		editor_start(tui->deck, tui_chosen(tui));
		break;
	case COMMAND_COPY_GUEST:
		profile_copy(tui->deck, tui_chosen(tui));
		break;
	case COMMAND_RENAME:
		profile_rename(tui->deck, tui_chosen(tui));
		break;
	case COMMAND_DELETE:
		profile_delete(tui->deck, tui_chosen(tui));
		break;
	case COMMAND_MEDIUM:
		media_ask(tui->deck, tui_chosen(tui));
		break;
	case COMMAND_RELOAD:
		profiles_reload(tui->deck);
		break;
	default:
		break;
	}
}
