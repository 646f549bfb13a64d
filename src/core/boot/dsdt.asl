/*
 * The DSDT: what Linux cannot find by itself. ACPI 6.5 § 5.2.11.1, 6, 19.
 *
 * Few names: a guest's kernel interprets all of this at boot, methods only when
 * it calls them. Addresses are those of core/bus/platform.h; the unit test
 * "acpi" compares them.
 */
DefinitionBlock ("", "DSDT", 2, "VMDECK", "VMDECK", 1)
{
	/* SLP_TYP 7: soft off, ICH9 § 13.8.3.3 */
	Name (\_S5, Package () { 7, 7, 0, 0 })

	/* What a system chose: PICs, 0, or the IOAPIC, 1 */
	Name (PICM, 0)
	Method (\_PIC, 1)
	{
		PICM = Arg0
	}

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_CRS, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0xcf8, 0xcf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange, 0, 0x0000, 0x0cf7, 0, 0x0cf8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange, 0, 0x0d00, 0xffff, 0, 0xf300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0xc0000000, 0xfebfffff, 0,
					0x3ec00000)
			})
			/*
			 * INTA of device n: GSI 16 + n % 4 of the IOAPIC; with PICs the ISA
			 * interrupts where firmware leads these four lines
			 */
			Method (_PRT)
			{
				If (PICM) {
					Return (Package () {
						Package () { 0x0001ffff, 0, 0, 17 },
						Package () { 0x0002ffff, 0, 0, 18 },
						Package () { 0x0003ffff, 0, 0, 19 },
						Package () { 0x0004ffff, 0, 0, 16 },
						Package () { 0x0005ffff, 0, 0, 17 },
						Package () { 0x0006ffff, 0, 0, 18 },
						Package () { 0x0007ffff, 0, 0, 19 },
						Package () { 0x0008ffff, 0, 0, 16 },
						Package () { 0x0009ffff, 0, 0, 17 },
						Package () { 0x000affff, 0, 0, 18 },
						Package () { 0x000bffff, 0, 0, 19 },
						Package () { 0x000cffff, 0, 0, 16 },
						Package () { 0x000dffff, 0, 0, 17 },
						Package () { 0x000effff, 0, 0, 18 },
						Package () { 0x000fffff, 0, 0, 19 },
						Package () { 0x0010ffff, 0, 0, 16 },
						Package () { 0x0011ffff, 0, 0, 17 },
						Package () { 0x0012ffff, 0, 0, 18 },
						Package () { 0x0013ffff, 0, 0, 19 },
						Package () { 0x0014ffff, 0, 0, 16 },
						Package () { 0x0015ffff, 0, 0, 17 },
						Package () { 0x0016ffff, 0, 0, 18 },
						Package () { 0x0017ffff, 0, 0, 19 },
						Package () { 0x0018ffff, 0, 0, 16 },
						Package () { 0x0019ffff, 0, 0, 17 },
						Package () { 0x001affff, 0, 0, 18 },
						Package () { 0x001bffff, 0, 0, 19 },
						Package () { 0x001cffff, 0, 0, 16 },
						Package () { 0x001dffff, 0, 0, 17 },
						Package () { 0x001effff, 0, 0, 18 },
					})
				}
				Return (Package () {
					Package () { 0x0001ffff, 0, 0, 10 },
					Package () { 0x0002ffff, 0, 0, 11 },
					Package () { 0x0003ffff, 0, 0, 11 },
					Package () { 0x0004ffff, 0, 0, 10 },
					Package () { 0x0005ffff, 0, 0, 10 },
					Package () { 0x0006ffff, 0, 0, 11 },
					Package () { 0x0007ffff, 0, 0, 11 },
					Package () { 0x0008ffff, 0, 0, 10 },
					Package () { 0x0009ffff, 0, 0, 10 },
					Package () { 0x000affff, 0, 0, 11 },
					Package () { 0x000bffff, 0, 0, 11 },
					Package () { 0x000cffff, 0, 0, 10 },
					Package () { 0x000dffff, 0, 0, 10 },
					Package () { 0x000effff, 0, 0, 11 },
					Package () { 0x000fffff, 0, 0, 11 },
					Package () { 0x0010ffff, 0, 0, 10 },
					Package () { 0x0011ffff, 0, 0, 10 },
					Package () { 0x0012ffff, 0, 0, 11 },
					Package () { 0x0013ffff, 0, 0, 11 },
					Package () { 0x0014ffff, 0, 0, 10 },
					Package () { 0x0015ffff, 0, 0, 10 },
					Package () { 0x0016ffff, 0, 0, 11 },
					Package () { 0x0017ffff, 0, 0, 11 },
					Package () { 0x0018ffff, 0, 0, 10 },
					Package () { 0x0019ffff, 0, 0, 10 },
					Package () { 0x001affff, 0, 0, 11 },
					Package () { 0x001bffff, 0, 0, 11 },
					Package () { 0x001cffff, 0, 0, 10 },
					Package () { 0x001dffff, 0, 0, 10 },
					Package () { 0x001effff, 0, 0, 11 },
				})
			}
		}

		/* Memory and ports of the chipset: keeps PCI off them, and Linux wants ECAM here */
		Device (MBRD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_CRS, ResourceTemplate () {
				Memory32Fixed (ReadWrite, 0xb0000000, 0x00100000)
				IO (Decode16, 0x600, 0x600, 1, 0x80)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x3f8, 0x3f8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}

		/* Firmware looks for a keyboard only where this says that there may be one. */
		Device (KBD)
		{
			Name (_HID, EisaId ("PNP0303"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x60, 0x60, 1, 1)
				IO (Decode16, 0x64, 0x64, 1, 1)
				IRQNoFlags () { 1 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x70, 0x70, 1, 2)
				IRQNoFlags () { 8 }
			})
		}
	}
}
