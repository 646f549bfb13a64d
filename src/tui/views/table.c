/* The table of views. */
#include "tui/views/table.h"

#include "base/checked.h"

#define POINTER(name) &view_##name,

const struct view_ops *const views_table[] = { VIEWS(POINTER) };
const size_t views_count = ARRAY_SIZE(views_table);
