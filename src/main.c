/* vmdeck: picks the role. Main thread. */
int main(void)
{
	return 0;
}
