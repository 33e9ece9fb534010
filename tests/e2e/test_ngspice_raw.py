"""Raw files as ngspice writes them, against what ngspice itself says of its vectors."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from simorc.simulators.rawfile import check_raw, parse_raw

pytestmark = pytest.mark.ngspice

DECK = """* every analysis
v1 in 0 dc 1 ac 1 pulse(0 1 1n 1n 1n 5u 10u)
v2 b 0 1
r1 in out 1k tc1=1m
r2 out b 1k
c1 out 0 1n
.control
op
dc v1 0 1 0.25 v2 0 1 0.5
dc temp 0 100 50
ac dec 2 1k 1meg
tran 1u 5u
noise v(out) v1 dec 2 1k 10k
{settings}
set wr_singlescale
set numdgt=16
foreach p $plots
setplot $p
write all.raw
set appendwrite
end
setplot ac2
wrdata ac.txt out
setplot tran2
wrdata tran.txt out i(v1)
setplot dc1
wrdata dc.txt out
setplot noise2
wrdata noise.txt onoise_spectrum
quit
.endc
.end
"""


def told(folder: Path, name: str) -> npt.NDArray[np.float64]:
    """Columns of numbers as ngspice's `wrdata` writes them: the scale, then each vector, complex ones as two."""
    return np.loadtxt(folder / f"{name}.txt").T


@pytest.mark.parametrize("filetype", ["binary", "ascii"])
@pytest.mark.parametrize("padding", ["", "set nopadding"])
def test_every_analysis_is_read_as_ngspice_tells_it(tmp_path: Path, filetype: str, padding: str) -> None:
    (tmp_path / "deck").write_text(DECK.format(settings=f"set filetype={filetype}\n{padding}"))
    subprocess.run(["ngspice", "-b", "deck"], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    data = (tmp_path / "all.raw").read_bytes()
    check_raw(data)
    plots = parse_raw(data)
    assert [plot.kind for plot in plots] == ["op", "dc", "dc", "ac", "tran", "noise", "noise_total"]
    op, dc, temp, ac, tran, noise, _ = plots
    assert op["out"].tolist() == pytest.approx([1.0])
    assert len(dc) == 15
    np.testing.assert_allclose(dc["out"], told(tmp_path, "dc")[1], rtol=1e-14)
    assert (temp.x.tolist(), temp.units[temp.scale]) == ([0.0, 50.0, 100.0], "degC")
    np.testing.assert_allclose([ac.x, ac["out"].real, ac["out"].imag], told(tmp_path, "ac"), rtol=1e-14)
    assert (ac.x.dtype, ac.units["frequency"]) == (np.float64, "Hz")
    np.testing.assert_allclose([tran.x, tran["out"], tran["v1"]], told(tmp_path, "tran"), rtol=1e-14)
    assert (tran.units["time"], tran.units["i(v1)"]) == ("s", "A")
    np.testing.assert_allclose(noise["onoise_spectrum"], told(tmp_path, "noise")[1], rtol=1e-14)
    assert noise.units["onoise_spectrum"] == "V/sqrt(Hz)"
