import django.db.models.deletion
from django.db import migrations, models

from firstread.clinic.migrations._only_on import OnlyOn

BATCH = 2_000


def note_words(apps, schema_editor):
    """As queue/find_by_words.py notes them of new cases."""
    Case, CaseWords = apps.get_model("clinic", "Case"), apps.get_model("clinic", "CaseWords")
    made = []
    told = Case.objects.values_list("pk", "accession", "patient__identifier", "patient__name")
    for case, *words in told.order_by().iterator(chunk_size=BATCH):
        text = "\n".join(each for each in words if each is not None).casefold()
        made.append(CaseWords(case_id=case, text=text))
        if len(made) == BATCH:
            CaseWords.objects.bulk_create(made)
            made = []
    CaseWords.objects.bulk_create(made)


TRIGRAMS_OF_SQLITE = [
    """CREATE VIRTUAL TABLE clinic_casewords_trigrams USING fts5(
        text, content='clinic_casewords', content_rowid='id',
        tokenize='trigram case_sensitive 1')""",
    """CREATE TRIGGER clinic_casewords_added AFTER INSERT ON clinic_casewords BEGIN
        INSERT INTO clinic_casewords_trigrams(rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER clinic_casewords_gone AFTER DELETE ON clinic_casewords BEGIN
        INSERT INTO clinic_casewords_trigrams(clinic_casewords_trigrams, rowid, text)
        VALUES ('delete', old.id, old.text); END""",
    """CREATE TRIGGER clinic_casewords_changed AFTER UPDATE ON clinic_casewords BEGIN
        INSERT INTO clinic_casewords_trigrams(clinic_casewords_trigrams, rowid, text)
        VALUES ('delete', old.id, old.text);
        INSERT INTO clinic_casewords_trigrams(rowid, text) VALUES (new.id, new.text); END""",
]
NO_TRIGRAMS_OF_SQLITE = [
    "DROP TRIGGER clinic_casewords_changed",
    "DROP TRIGGER clinic_casewords_gone",
    "DROP TRIGGER clinic_casewords_added",
    "DROP TABLE clinic_casewords_trigrams",
]
# The extension is part of PostgreSQL and needs no superuser, yet a server may lack it, or its owner
# forbid it. Then a search goes through all words: it finds the same, and takes longer.
TRIGRAMS_OF_POSTGRESQL = [
    """DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX clinic_casewords_trigrams ON clinic_casewords USING gin (text gin_trgm_ops);
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'searches have no index: %', SQLERRM;
    END $$""",
]


class Migration(migrations.Migration):
    """Cases are found by words of which the database keeps an index; those there are get theirs.

    The index comes before its rows: PostgreSQL changes no table whose new rows it has yet to check.
    """

    dependencies = [
        ('clinic', '0007_pages_of_large_archives'),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseWords',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.case')),
            ],
        ),
        OnlyOn("sqlite", TRIGRAMS_OF_SQLITE, NO_TRIGRAMS_OF_SQLITE),
        OnlyOn("postgresql", TRIGRAMS_OF_POSTGRESQL, ["DROP INDEX IF EXISTS clinic_casewords_trigrams"]),
        migrations.RunPython(note_words, migrations.RunPython.noop),
    ]
