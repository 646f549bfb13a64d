/*
 * The registers of the 82574 that are kept. Intel 82574 datasheet § 10: name, offset in
 * BAR 0, how many there are one behind the other, the bits that can differ from what they
 * are after a reset, and what they are then. In the order of their offsets.
 */
#ifndef CORE_HW_E1000E_REGISTERS_H
#define CORE_HW_E1000E_REGISTERS_H

#include <stdint.h>

#define E1000E_CAUSES 0x01f782dfu /* of interrupts */
#define E1000E_VECTORS 5u
#define E1000E_STATISTICS 74u

/* Those of queues are in the same order for each. */
#define E1000E_REGISTERS(R)                                   \
	R(CTRL, 0x0000, 1, 0x7bffffff, 0x00000241)            \
	R(STATUS, 0x0008, 1, 0, 0)                            \
	R(EECD, 0x0010, 1, 0x000000c7, 0x00000300)            \
	R(EERD, 0x0014, 1, 0xfffffffe, 0)                     \
	R(CTRL_EXT, 0x0018, 1, 0xffffcfff, 0)                 \
	R(MDIC, 0x0020, 1, 0xffffffff, 0)                     \
	R(FCAL, 0x0028, 1, 0xffffffff, 0x00c28001)            \
	R(FCAH, 0x002c, 1, 0x0000ffff, 0x00000100)            \
	R(FCT, 0x0030, 1, 0x0000ffff, 0x00008808)             \
	R(VET, 0x0038, 1, 0x0000ffff, 0x00008100)             \
	R(ICR, 0x00c0, 1, E1000E_CAUSES, 0)                   \
	R(ITR, 0x00c4, 1, 0x0000ffff, 0)                      \
	R(ICS, 0x00c8, 1, 0, 0)                               \
	R(IMS, 0x00d0, 1, E1000E_CAUSES, 0)                   \
	R(IMC, 0x00d8, 1, 0, 0)                               \
	R(EIAC, 0x00dc, 1, 0x01f00000, 0)                     \
	R(IAM, 0x00e0, 1, 0xffffffff, 0)                      \
	R(IVAR, 0x00e4, 1, 0x800fffff, 0)                     \
	R(EITR, 0x00e8, E1000E_VECTORS, 0x0000ffff, 0)        \
	R(RCTL, 0x0100, 1, 0x7effffff, 0)                     \
	R(FCTTV, 0x0170, 1, 0x0000ffff, 0)                    \
	R(TXCW, 0x0178, 1, 0xffffffff, 0)                     \
	R(TCTL, 0x0400, 1, 0xffffffff, 0)                     \
	R(TIPG, 0x0410, 1, 0x3fffffff, 0x00602008)            \
	R(AIT, 0x0458, 1, 0x0000ffff, 0)                      \
	R(LEDCTL, 0x0e00, 1, 0xffffffff, 0x00068302)          \
	R(EXTCNF_CTRL, 0x0f00, 1, 0x00000020, 0x00000008)     \
	R(PHY_CTRL, 0x0f10, 1, 0x0000ffff, 0)                 \
	R(PBA, 0x1000, 1, 0x003f003f, 0x00140014)             \
	R(EEMNGCTL, 0x1010, 1, 0, 0x800c0000)                 \
	R(EEWR, 0x102c, 1, 0, 0x00000002)                     \
	R(FCRTL, 0x2160, 1, 0x8000fff8, 0)                    \
	R(FCRTH, 0x2168, 1, 0x0000fff8, 0)                    \
	R(PSRCTL, 0x2170, 1, 0x3f3f3f7f, 0x00040402)          \
	R(RDBAL, 0x2800, 1, 0xfffffff0, 0)                    \
	R(RDBAH, 0x2804, 1, 0xffffffff, 0)                    \
	R(RDLEN, 0x2808, 1, 0x000fff80, 0)                    \
	R(RDH, 0x2810, 1, 0x0000ffff, 0)                      \
	R(RDT, 0x2818, 1, 0x0000ffff, 0)                      \
	R(RDTR, 0x2820, 1, 0x0000ffff, 0)                     \
	R(RXDCTL, 0x2828, 1, 0xffffffff, 0x00010000)          \
	R(RADV, 0x282c, 1, 0x0000ffff, 0)                     \
	R(RDBAL1, 0x2900, 1, 0xfffffff0, 0)                   \
	R(RDBAH1, 0x2904, 1, 0xffffffff, 0)                   \
	R(RDLEN1, 0x2908, 1, 0x000fff80, 0)                   \
	R(RDH1, 0x2910, 1, 0x0000ffff, 0)                     \
	R(RDT1, 0x2918, 1, 0x0000ffff, 0)                     \
	R(RXDCTL1, 0x2928, 1, 0xffffffff, 0x00010000)         \
	R(RSRPD, 0x2c00, 1, 0x00000fff, 0)                    \
	R(RAID, 0x2c08, 1, 0x0000ffff, 0)                     \
	R(TDBAL, 0x3800, 1, 0xfffffff0, 0)                    \
	R(TDBAH, 0x3804, 1, 0xffffffff, 0)                    \
	R(TDLEN, 0x3808, 1, 0x000fff80, 0)                    \
	R(TDH, 0x3810, 1, 0x0000ffff, 0)                      \
	R(TDT, 0x3818, 1, 0x0000ffff, 0)                      \
	R(TIDV, 0x3820, 1, 0x0000ffff, 0)                     \
	R(TXDCTL, 0x3828, 1, 0xffffffff, 0)                   \
	R(TADV, 0x382c, 1, 0x0000ffff, 0)                     \
	R(TARC, 0x3840, 1, 0x7fffffff, 0x00000403)            \
	R(TDBAL1, 0x3900, 1, 0xfffffff0, 0)                   \
	R(TDBAH1, 0x3904, 1, 0xffffffff, 0)                   \
	R(TDLEN1, 0x3908, 1, 0x000fff80, 0)                   \
	R(TDH1, 0x3910, 1, 0x0000ffff, 0)                     \
	R(TDT1, 0x3918, 1, 0x0000ffff, 0)                     \
	R(TXDCTL1, 0x3928, 1, 0xffffffff, 0)                  \
	R(TARC1, 0x3940, 1, 0x7fffffff, 0x00000403)           \
	R(STATISTICS, 0x4000, E1000E_STATISTICS, 0xffffffff, 0) \
	R(RXCSUM, 0x5000, 1, 0x0000ffff, 0)                   \
	R(RFCTL, 0x5008, 1, 0x0003ffff, 0)                    \
	R(MTA, 0x5200, 128, 0xffffffff, 0)                    \
	R(RA, 0x5400, 32, 0xffffffff, 0)                      \
	R(VFTA, 0x5600, 128, 0xffffffff, 0)                   \
	R(WUC, 0x5800, 1, 0xffffffff, 0)                      \
	R(WUFC, 0x5808, 1, 0xffffffff, 0)                     \
	R(WUS, 0x5810, 1, 0xffffffff, 0)                      \
	R(MRQC, 0x5818, 1, 0xffffffff, 0)                     \
	R(MANC, 0x5820, 1, 0xffffffff, 0)                     \
	R(GCR, 0x5b00, 1, 0xffffffff, 0)                      \
	R(SWSM, 0x5b50, 1, 0x00000003, 0)                     \
	R(GCR2, 0x5b64, 1, 0xffffffff, 0)                     \
	R(RETA, 0x5c00, 32, 0xffffffff, 0)                    \
	R(RSSRK, 0x5c80, 10, 0xffffffff, 0)

/* Where they are kept: REG_RA + 1 is the second one of RA. */
#define E1000E_PLACE(name, offset, count, bits, reset) \
	REG_##name, REG_##name##_LAST = REG_##name + (count) - 1,
enum e1000e_register { E1000E_REGISTERS(E1000E_PLACE) E1000E_WORDS };
#undef E1000E_PLACE

struct e1000e_row {
	uint16_t offset, first, count;
	uint32_t bits, reset;
};

extern const struct e1000e_row e1000e_rows[];
extern const unsigned e1000e_row_count;

/* The row of the register at that offset, a multiple of 4; NULL: it is not kept. */
const struct e1000e_row *e1000e_find(uint32_t offset);

#endif
