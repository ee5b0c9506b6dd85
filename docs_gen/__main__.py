"""`python -m docs_gen` writes the generated documents anew."""

from docs_gen import main

main()
