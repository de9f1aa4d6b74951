"""Running the notebooks on Binder and Colab: what a reader has to know there."""

from valleys.book.site.repository import Address

# what the chapters import and a fresh notebook there may lack
MISSING_ON_COLAB = ("h5netcdf", "myst-nb")


def colab_cell(address: Address) -> str:
    """What a first cell on Colab has to hold: the bare notebook comes without the package and
    the results.
    """
    return f"""!git clone --quiet --depth 1 --branch {address.branch} {address.url} book
%cd book
%pip install --quiet --no-deps .
%pip install --quiet {" ".join(MISSING_ON_COLAB)}"""
