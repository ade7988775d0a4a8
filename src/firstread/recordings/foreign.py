"""Forms of an electrocardiogram that are known, and not opened: each with the way out."""

from __future__ import annotations

_WAY_OUT = "Export the recording as EDF, DICOM or CSV."
_XML = {
    b"AnnotatedECG": "an HL7 aECG file",
    b"RestingECG": "an XML file of a GE MUSE system",
    b"restingecgdata": "an XML file of a Philips electrocardiograph",
    b"CardiologyXML": "an XML file of a GE CardioSoft system",
    b"sapphire": "an XML file of a GE monitor",
}
_BEGINNINGS = {
    b"%PDF": "a PDF",
    b"ISHNE1.0": "an ISHNE Holter file",
    b"ANN  1.0": "an ISHNE annotation file",
    b"GDF ": "a GDF file",
    b"\x89HDF": "an HDF5 file",
    b"MATLAB 5.0": "a MATLAB file",
    b"@ MFR": "an MFER file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_PICTURES = "Send the recording itself, not a picture of it: EDF, DICOM, CSV, or a WFDB pair."


def foreign_form(data: bytes) -> str | None:
    """Why a file of a known form is not opened, with the way out; None where it is none.

    >>> foreign_form(b"%PDF-1.7")
    'This is a PDF, which is not opened. Export the recording as EDF, DICOM or CSV.'
    """
    head = data[:4096]
    if head[:4] in (b"\x1e\0\0\0", b"\x14\0\0\0") and head[20:24] == b"val\0":
        return (
            "This is the .mat file with the samples of a WFDB recording alone. Send it together "
            "with its .hea file."
        )
    named = next((what for mark, what in _BEGINNINGS.items() if head.startswith(mark)), None)
    if named == "a picture":
        return f"This is a picture, which is not a recording that Firstread can open. {_PICTURES}"
    if _is_workbook(data):
        return (
            "This is a workbook of a spreadsheet, which is not opened as a recording. Save its "
            "sheet as CSV, and send that."
        )
    if named is None and head[16:22] == b"SCPECG":
        named = "an SCP-ECG file"
    if named is None and head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").startswith(b"<"):
        plain = head.replace(b"\0", b"")
        named = next((what for mark, what in _XML.items() if mark in plain), "an XML file")
    return None if named is None else f"This is {named}, which is not opened. {_WAY_OUT}"


def _is_workbook(data: bytes) -> bool:
    """Whether it is a spreadsheet's own file: a zip whose list of parts, at its end, says so."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return True
    listed = data[:4096] + data[-65_536:]
    return data.startswith(b"PK") and (b"xl/workbook." in listed or b"oasis.opendocument" in listed)
