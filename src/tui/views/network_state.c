/* What is selected in the network's view. Screen thread. */
#include "tui/views/network_state.h"

const struct switch_row *network_chosen(const struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	const struct network_view *state = view->state;

	if (model->switch_count == 0)
		return NULL;
	return &model->switches[state->selected < model->switch_count ? state->selected :
									model->switch_count - 1];
}

const struct port_row *network_chosen_port(const struct view *view)
{
	const struct switch_row *row = network_chosen(view);
	const struct network_view *state = view->state;

	if (!row || row->port_count == 0)
		return NULL;
	return &row->ports[state->port < row->port_count ? state->port : row->port_count - 1];
}

unsigned network_pane_style(const struct view *view, enum pane pane)
{
	const struct network_view *state = view->state;

	return state->pane == pane ? INK_ACCENT : INK_TEXT | DRAW_DIM;
}

uint64_t network_row_at(const struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	const struct network_view *state = view->state;

	if (!netmodel_held(model) && model->row_end)
		return model->row_end - 1;
	return netmodel_row_of(model, state->packet_at);
}

const struct packet *network_chosen_packet(const struct view *view)
{
	const struct netmodel *model = &view->deck->network;

	return model->row_first < model->row_end ?
	       netmodel_packet(model, netmodel_row(model, network_row_at(view))) : NULL;
}
