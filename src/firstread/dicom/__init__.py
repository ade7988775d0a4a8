"""Everything DICOM: the only room that knows pydicom."""
