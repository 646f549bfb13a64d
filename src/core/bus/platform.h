/*
 * The machine's fixed addresses, as chips, ACPI tables and loaders share them.
 * The identity is a Q35 (MCH 8086:29c0 at 00:00.0, ICH9 LPC 8086:2918 at 00:1f.0).
 */
#ifndef CORE_BUS_PLATFORM_H
#define CORE_BUS_PLATFORM_H

/* I/O ports */
#define PLATFORM_CMOS_PORT 0x70	    /* MC146818: index, data */
#define PLATFORM_I8042_PORT 0x60    /* data; command and status at 0x64 */
#define PLATFORM_VGA_PORT 0x3b0	    /* to 0x3df */
#define PLATFORM_COM1_PORT 0x3f8
#define PLATFORM_PM_PORT 0x600	    /* ICH9 ACPI block: PM1 event +0, PM1 control +4, timer +8, GPE0 +0x20 */
#define PLATFORM_PM_SIZE 0x80
#define PLATFORM_PCI_IO_BASE 0xc000  /* window for BARs, to the last port */
#define PLATFORM_POST_PORT 0x80	    /* codes of a power-on self-test */
#define PLATFORM_PORT92 0x92	    /* system control port A */
#define PLATFORM_BOCHS_PORT 0xe9    /* text */
#define PLATFORM_DEBUG_PORT 0x402   /* text, of firmware */
#define PLATFORM_FW_CFG_PORT 0x510  /* firmware configuration: selector, data */
#define PLATFORM_FW_CFG_DMA_PORT 0x514
#define PLATFORM_PCI_PORT 0xcf8	    /* configuration address; data at 0xcfc; reset control at 0xcf9 */

/* Interrupt lines: GSI numbers of the IOAPIC */
#define PLATFORM_KEYBOARD_GSI 1	    /* edge */
#define PLATFORM_COM1_GSI 4
#define PLATFORM_RTC_GSI 8	    /* edge */
#define PLATFORM_SCI_GSI 9	    /* level, active high */
#define PLATFORM_PCI_GSI 16	    /* INTA# of device n: 16 + n % 4; level, active high; four lines */
#define PLATFORM_PCI_ISA_IRQ(line) (10 + (line) / 2) /* where firmware leads these with PICs */

/* MMIO */
#define PLATFORM_ECAM_BASE 0xb0000000u
#define PLATFORM_ECAM_SIZE 0x100000u /* bus 0 */
#define PLATFORM_PCI_BASE 0xc0000000u /* window for BARs */
#define PLATFORM_PCI_END 0xfec00000u
#define PLATFORM_IOAPIC_BASE 0xfec00000u
#define PLATFORM_LAPIC_BASE 0xfee00000u

/* Display memory of a VGA, which is RAM */
#define PLATFORM_VGA_BASE 0xa0000u
#define PLATFORM_VGA_SIZE 0x20000u
/* KVM's own pages, for processors that need them: page table of real mode, then the TSS */
#define PLATFORM_IDENTITY_BASE 0xfeffc000u
#define PLATFORM_TSS_BASE 0xfeffd000u
#define PLATFORM_KVM_SIZE 0x4000u

/* Firmware: its image ends at 4 GiB, and the end of that image is below 1 MiB too */
#define PLATFORM_ROM_END 0x100000000ull
#define PLATFORM_SHADOW_BASE 0xc0000u
#define PLATFORM_SHADOW_END 0x100000u

/* Low memory of a guest that is started without firmware */
#define PLATFORM_EBDA 0x9fc00u	     /* end of the RAM below 640 KiB */
#define PLATFORM_ACPI_BASE 0xe0000u  /* tables live here, RSDP first; reserved in the memory map */
#define PLATFORM_ACPI_SIZE 0x20000u

/* Q35 reset control, port 0xcf9, ICH9 §13.7.5 */
#define PLATFORM_RESET_PORT 0xcf9
#define PLATFORM_RESET_VALUE 0x06

#endif
