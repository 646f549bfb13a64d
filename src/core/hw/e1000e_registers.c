/* Which registers there are. Pure; any thread. */
#include "core/hw/e1000e_registers.h"

#include <stddef.h>

#include "base/checked.h"

#define E1000E_ROW(name, offset, count, bits, reset) { offset, REG_##name, count, bits, reset },
const struct e1000e_row e1000e_rows[] = { E1000E_REGISTERS(E1000E_ROW) };
const unsigned e1000e_row_count = ARRAY_SIZE(e1000e_rows);

const struct e1000e_row *e1000e_find(uint32_t offset)
{
	unsigned low = 0, high = ARRAY_SIZE(e1000e_rows);

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct e1000e_row *row = &e1000e_rows[middle];

		if (offset < row->offset)
			high = middle;
		else if (offset >= row->offset + 4u * row->count)
			low = middle + 1;
		else
			return row;
	}
	return NULL;
}
