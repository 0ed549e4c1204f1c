from perfmod.cli import main

if __name__ == "__main__":  # worker processes of a fleet import it by another name
    main()
