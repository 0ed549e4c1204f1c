from perfmod.cli import main

main()
